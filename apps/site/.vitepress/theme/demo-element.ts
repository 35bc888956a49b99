import { defineComponent, h, onBeforeUnmount, onMounted, ref, type PropType } from "vue";
import { demos, type DemoName } from "../../src/demos.js";

/** `<Demo name="train" />` in a page: loads the demo when the page is shown, and stops it when the page is left. */
export const DemoElement = defineComponent({
  props: { name: { type: String as PropType<DemoName>, required: true } },
  setup({ name }) {
    const element = ref<HTMLElement>();
    const controller = new AbortController();
    onMounted(async () => {
      const place = element.value!;
      try {
        const { mount } = await demos[name]();
        if (!controller.signal.aborted) await mount(place, controller.signal);
      } catch (error) {
        place.replaceChildren(failureNotice(error));
        throw error;
      }
    });
    onBeforeUnmount(() => controller.abort());
    return () => h("div", { class: "demo vp-raw", ref: element });
  },
});

function failureNotice(error: unknown): HTMLElement {
  const notice = document.createElement("p");
  notice.className = "demo-failure";
  notice.setAttribute("role", "alert");
  notice.textContent = `The demo could not be started: ${error instanceof Error ? error.message : String(error)}`;
  return notice;
}
