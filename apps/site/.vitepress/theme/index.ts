import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { DemoElement } from "./demo-element.js";
import { HomeRaceElement } from "./home-race-element.js";
import { printInLight } from "./print-in-light.js";
import "./print.css";
import "./reference.css";
import "./style.css";

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component("Demo", DemoElement);
    app.component("HomeRace", HomeRaceElement);
    if (!import.meta.env.SSR) printInLight();
  },
} satisfies Theme;
