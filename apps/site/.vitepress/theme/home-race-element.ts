import { defineComponent, h, onBeforeUnmount, onMounted, ref, shallowRef } from "vue";
import darkPicture from "../../content/reference/pictures/race-dark.svg?url";
import lightPicture from "../../content/reference/pictures/race-light.svg?url";
import type { HomeRace } from "../../src/home/home-race.js";
import "./home-race.css";

const description =
  "Contour map of a function with four minima, and the paths of SGD, RMSprop, Adam and Lion from one start down to a minimum. They need not find the same one.";

/** Two pictures of one race, of which the theme shows one. */
const pictures = [
  ["light-only", lightPicture],
  ["dark-only", darkPicture],
]
  .map(
    ([theme, address]) =>
      `<img class="home-race-map ${theme}" src="${address}" width="528" height="292" alt="The paths of four optimizers from one point through a curved valley to its minimum">`,
  )
  .join("");

/** `<HomeRace />`: optimizers race as soon as the page is open. Without scripts, or if that fails, a picture. */
export const HomeRaceElement = defineComponent({
  setup() {
    const place = ref<HTMLElement>();
    const race = shallowRef<HomeRace>();
    const isPaused = ref(false);
    const hasFailed = ref(false);
    const controller = new AbortController();
    const fail = (): void => {
      controller.abort();
      race.value = undefined;
      hasFailed.value = true;
    };
    onMounted(async () => {
      try {
        const [{ HomeRace: Race }, { data }] = await Promise.all([
          import("../../src/home/home-race.js"),
          import("./races.data.js"),
        ]);
        if (controller.signal.aborted) return;
        const onPaused = (paused: boolean): void => {
          isPaused.value = paused;
        };
        race.value = new Race(place.value!, data, { onPaused, onFailure: fail }, controller.signal);
      } catch (error) {
        fail();
        throw error;
      }
    });
    onBeforeUnmount(() => controller.abort());
    const button = (text: string, onClick: () => void) =>
      h("button", { type: "button", onClick }, text);
    return () =>
      h("figure", { class: "home-race vp-raw" }, [
        hasFailed.value
          ? h("div", { innerHTML: pictures })
          : h(
              "div",
              {
                ref: place,
                class: "home-race-map playground-map",
                role: "img",
                "aria-label": description,
              },
              [h("noscript", { innerHTML: pictures })],
            ),
        h("figcaption", [
          h("span", "Four optimizers from one start."),
          // They have their place before the race is there.
          h(
            "span",
            {
              class: "home-race-buttons",
              style: { visibility: race.value === undefined ? "hidden" : "visible" },
            },
            [
              button(isPaused.value ? "Play" : "Pause", () => race.value?.togglePause()),
              button("Another start", () => race.value?.showAnother()),
            ],
          ),
        ]),
      ]);
  },
});
