// The page of a slide: the server writes its frame and names the slide; this fills it.
import "./viewer.css";

import { Bench } from "./bench";
import { browserStore, Choice, ColourSwitch } from "./colours";
import { Magnification, Rotation, ScaleBar } from "./controls";
import { button, element, icon } from "./element";
import { helpDialog, listen, type Key } from "./keys";

/** Part of the view that an arrow key moves by. */
const ARROW = 0.15;

/** How much closer or farther a key goes. */
const STEP = 1.5;

/** Degrees of a fine turn. */
const FINE = 5;

function equip(bench: Bench, choice: Choice): void {
  const { microscope } = bench;
  const colours = new ColourSwitch(microscope, choice, () => bench.recolour());
  const magnification = new Magnification(microscope);
  const closer = (): void => microscope.closer(STEP);
  const farther = (): void => microscope.closer(1 / STEP);
  const whole = (): void => microscope.home();
  const fullScreen = (): void => bench.fullScreen();
  const showHelp = (): void => help.showModal();
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
    { shown: "+  −", does: "closer, farther away", acts: { "+": closer, "=": closer, "-": farther, _: farther } },
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
      acts: {
        n: () => bench.beside(1),
        PageDown: () => bench.beside(1),
        p: () => bench.beside(-1),
        PageUp: () => bench.beside(-1),
      },
    },
    { shown: "C", does: "colours as scanned, managed (sRGB)", acts: { c: () => colours.press() } },
    { shown: "F", does: "full screen", acts: { f: fullScreen } },
    { shown: "?", does: "this help", acts: { "?": showHelp } },
  ];
  const help = helpDialog(keys);
  const place = element(
    "div",
    { class: "group", role: "group", "aria-label": "Place" },
    button("Whole slide", icon("home"), whole),
    button("Full screen", icon("full"), fullScreen),
    button("Keyboard help", icon("help"), showHelp),
  );
  const tools = element("div", { class: "tools", role: "toolbar", "aria-label": "Instruments" });
  tools.append(magnification.element, new Rotation(microscope).element, colours.element, place);
  bench.equip(new ScaleBar(microscope).element, tools, help);
  listen(keys);
}

const place = document.querySelector<HTMLElement>("[data-slide]");
const handle = place?.dataset["slide"];
if (place && handle) {
  const choice = new Choice(place.dataset["colours"], browserStore());
  const bench = new Bench(place, choice);
  equip(bench, choice);
  void bench.open(handle, false);
}
