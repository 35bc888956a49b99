import { demos, type DemoName } from "../../src/demos.js";

const name = new URLSearchParams(location.search).get("demo") as DemoName;
const { mount } = await demos[name]();
await mount(document.querySelector<HTMLElement>("#demo")!, new AbortController().signal);
