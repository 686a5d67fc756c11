// The instruments around the stage: magnification buttons, rotation, scale bar. They show the view and never own it.
import { button, element, icon } from "./element";
import type { Microscope, View } from "./microscope";
import { magnificationText, micronsAcross, scaleBar, steps, type Step } from "./scale";
import type { Slide } from "./slide";

/** Screen pixels that the scale bar may take. */
const BAR_ROOM = 150;

/** How near the view must be to a button's magnification for the button to be lit. */
const NEAR = 0.01;

/** Buttons 1x to the objective, and what is shown now. */
export class Magnification {
  readonly element = element("div", { class: "group magnification", role: "group", "aria-label": "Magnification" });
  readonly #now = element("output", { class: "now", "aria-label": "Magnification now" });
  readonly #microscope: Microscope;
  #buttons: [Step, HTMLButtonElement][] = [];
  #of: Slide | null = null;

  constructor(microscope: Microscope) {
    this.#microscope = microscope;
    microscope.watch((view) => this.#show(view));
  }

  /** Press the n-th button, counted from 0. */
  press(index: number): void {
    this.#buttons[index]?.[1].click();
  }

  #show({ slide, zoom }: View): void {
    if (slide !== this.#of) this.#offer(slide);
    this.#now.textContent = magnificationText(slide, zoom);
    for (const [step, made] of this.#buttons) {
      made.setAttribute("aria-pressed", String(Math.abs(zoom / step.zoom - 1) < NEAR));
    }
  }

  #offer(slide: Slide): void {
    this.#of = slide;
    this.#buttons = steps(slide).map((step) => [
      step,
      button(step.name, step.label, () => this.#microscope.step(step)),
    ]);
    const farther = button("Farther away", icon("farther"), () => this.#microscope.closer(1 / 1.5));
    const closer = button("Closer", icon("closer"), () => this.#microscope.closer(1.5));
    this.element.replaceChildren(farther, ...this.#buttons.map(([, made]) => made), closer, this.#now);
  }
}

/** Quarter turns by button, any angle by slider. */
export class Rotation {
  readonly element = element("div", { class: "group rotation", role: "group", "aria-label": "Rotation" });
  readonly #slider = element("input", { type: "range", min: "-180", max: "180", step: "1", value: "0" });
  readonly #now = element("output", { class: "now", "aria-label": "Rotation now" }, "0°");

  constructor(microscope: Microscope) {
    this.#slider.setAttribute("aria-label", "Rotation in degrees");
    this.#slider.title = "Rotate by any angle";
    this.#slider.addEventListener("input", () => microscope.turnTo(this.#slider.valueAsNumber));
    this.element.append(
      button("Rotate left by 90 degrees", icon("left"), () => microscope.turn(-90)),
      this.#slider,
      button("Rotate right by 90 degrees", icon("right"), () => microscope.turn(90)),
      this.#now,
    );
    microscope.watch(({ degrees }) => {
      const whole = Math.round(degrees);
      this.#now.textContent = `${whole}°`;
      if (document.activeElement !== this.#slider) this.#slider.valueAsNumber = whole;
    });
  }
}

/** A bar of 1, 2 or 5 times a power of ten micrometres. */
export class ScaleBar {
  readonly element = element("div", { class: "scalebar", role: "img" });
  readonly #line = element("span", { class: "line" });
  readonly #text = element("span", { class: "length" });

  constructor(microscope: Microscope) {
    this.element.append(this.#text, this.#line);
    microscope.watch((view) => this.#show(view));
  }

  #show({ slide, zoom, degrees }: View): void {
    this.element.hidden = slide.mpp === null;
    if (!slide.mpp) return;
    const bar = scaleBar(micronsAcross(slide.mpp, degrees) / zoom, BAR_ROOM);
    this.#line.style.width = `${bar.pixels.toFixed(1)}px`;
    if (this.#text.textContent === bar.label) return;
    this.#text.textContent = bar.label;
    this.element.setAttribute("aria-label", `Scale bar: ${bar.label}`);
  }
}
