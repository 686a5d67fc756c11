// The page of a slide: the server writes its frame and names the slide; this fills it.
import "./viewer.css";

import { Magnification, Rotation, ScaleBar } from "./controls";
import { button, element, icon } from "./element";
import { helpDialog, listen, type Key } from "./keys";
import { Microscope } from "./microscope";
import { collectionOf, NotShown, pageOf, slideOf } from "./slide";
import { Strip } from "./strip";

/** Part of the view that an arrow key moves by. */
const ARROW = 0.15;

/** How much closer or farther a key goes. */
const STEP = 1.5;

/** Degrees of a fine turn. */
const FINE = 5;

function start(bench: HTMLElement, first: string): void {
  const stage = element("div", { class: "stage" });
  const navigator = element("div", { class: "navigator", "aria-hidden": "true" });
  const trouble = element("p", { class: "trouble", role: "alert", hidden: "" });
  const announcement = element("p", { class: "unseen", role: "status" });
  const heading = document.querySelector<HTMLElement>("[data-heading]");
  const table = element("section", { class: "table", "aria-label": "Microscope" }, stage, navigator, trouble);
  const strip = new Strip((handle) => void open(handle, true));
  bench.replaceChildren(strip.element, table, announcement);

  const microscope = new Microscope(stage, navigator);
  const magnification = new Magnification(microscope);
  const rotation = new Rotation(microscope);
  let shown = first;

  microscope.onTrouble = complain;

  function complain(sentence: string): void {
    trouble.textContent = sentence;
    trouble.hidden = false;
  }

  async function open(handle: string, remember: boolean): Promise<void> {
    trouble.hidden = true;
    try {
      const slide = await slideOf(handle);
      if (remember) history.pushState(null, "", pageOf(handle));
      shown = handle;
      microscope.show(slide);
      strip.mark(handle);
      const title = `Slide ${slide.number}`;
      if (heading) heading.textContent = title;
      document.title = `${title} · ${slide.collection.name}`;
      announcement.textContent = `${title} is on the stage.`;
      if (bench.dataset["collection"] !== slide.collection.handle) {
        bench.dataset["collection"] = slide.collection.handle;
        strip.fill(await collectionOf(slide.collection.handle));
        strip.mark(handle);
      }
    } catch (error) {
      if (!(error instanceof NotShown)) throw error;
      complain(error.message);
    }
  }

  function beside(places: number): void {
    const next = strip.beside(shown, places);
    if (next) void open(next, true);
  }

  function fullScreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void bench.requestFullscreen();
  }

  const closer = (): void => microscope.closer(STEP);
  const farther = (): void => microscope.closer(1 / STEP);
  const whole = (): void => microscope.home();
  const keys: Key[] = [
    {
      shown: "← → ↑ ↓",
      does: "move",
      acts: {
        ArrowLeft: () => microscope.move(-ARROW, 0),
        ArrowRight: () => microscope.move(ARROW, 0),
        ArrowUp: () => microscope.move(0, -ARROW),
        ArrowDown: () => microscope.move(0, ARROW),
      },
    },
    {
      shown: "+  −",
      does: "closer, farther away",
      acts: { "+": closer, "=": closer, "-": farther, _: farther },
    },
    {
      shown: "1 … 8",
      does: "the magnification buttons, from the left",
      acts: Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((n) => [`${n + 1}`, () => magnification.press(n)])),
    },
    {
      shown: "R  ⇧R",
      does: "turn right, left by 90°",
      acts: { r: () => microscope.turn(90), R: () => microscope.turn(-90) },
    },
    {
      shown: ".  ,",
      does: "turn right, left by 5°",
      acts: { ".": () => microscope.turn(FINE), ",": () => microscope.turn(-FINE) },
    },
    { shown: "0  H", does: "the whole slide, upright", acts: { 0: whole, h: whole, Home: whole } },
    {
      shown: "N  P",
      does: "next slide, previous slide",
      acts: { n: () => beside(1), PageDown: () => beside(1), p: () => beside(-1), PageUp: () => beside(-1) },
    },
    { shown: "F", does: "full screen", acts: { f: fullScreen } },
    { shown: "?", does: "this help", acts: { "?": () => help.showModal() } },
  ];
  const help = helpDialog(keys);
  const place = element(
    "div",
    { class: "group", role: "group", "aria-label": "Place" },
    button("Whole slide", icon("home"), whole),
    button("Full screen", icon("full"), fullScreen),
    button("Keyboard help", icon("help"), () => help.showModal()),
  );
  const tools = element("div", { class: "tools", role: "toolbar", "aria-label": "Instruments" });
  tools.append(magnification.element, rotation.element, place);
  table.append(new ScaleBar(microscope).element, tools, help);

  listen(keys);
  window.addEventListener("popstate", () => {
    const handle = location.pathname.split("/").at(-1);
    if (handle) void open(handle, false);
  });
  void open(first, false);
}

const bench = document.querySelector<HTMLElement>("[data-slide]");
const handle = bench?.dataset["slide"];
if (bench && handle) start(bench, handle);
