// Colours as the scanner stored them, or managed to sRGB where the slide has a profile; remembered in this browser.
import { button, element } from "./element";
import type { Microscope } from "./microscope";
import type { Slide } from "./slide";

export type Colours = "scanned" | "srgb";

/** How a slide of that choice can be shown: managed only where its profile can be used. */
export function coloursOf(slide: Pick<Slide, "colour_profile">, chosen: Colours): Colours {
  return slide.colour_profile === "usable" ? chosen : "scanned";
}

/** What a person chose in this browser, and until then what the server was told. */
export class Choice {
  static readonly #NAME = "coverslip.colours";
  readonly #store: Pick<Storage, "getItem" | "setItem"> | null;
  #now: Colours;

  constructor(first: string | undefined, store: Pick<Storage, "getItem" | "setItem"> | null) {
    this.#store = store;
    this.#now = read(this.#kept()) ?? read(first) ?? "scanned";
  }

  get now(): Colours {
    return this.#now;
  }

  choose(colours: Colours): void {
    this.#now = colours;
    try {
      this.#store?.setItem(Choice.#NAME, colours);
    } catch {
      // A browser that keeps nothing forgets the choice with the page.
    }
  }

  #kept(): string | null | undefined {
    try {
      return this.#store?.getItem(Choice.#NAME);
    } catch {
      return null;
    }
  }
}

function read(kept: string | null | undefined): Colours | null {
  return kept === "scanned" || kept === "srgb" ? kept : null;
}

/** The browser's own store; some browsers refuse even to be asked for it. */
export function browserStore(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

const NAMES: Readonly<Record<Colours, readonly [label: string, shown: string]>> = {
  scanned: ["Colours as scanned", "As scanned"],
  srgb: ["Colours managed (sRGB)", "Managed (sRGB)"],
};

/** The switch; there is none where there is nothing to choose, and a word about it where a profile is broken. */
export class ColourSwitch {
  readonly element = element("div", { class: "group colours", role: "group", "aria-label": "Colours", hidden: "" });
  readonly #buttons: readonly (readonly [Colours, HTMLButtonElement])[];
  readonly #note = element("span", { class: "now" }, "Colours as scanned: the slide’s colour profile cannot be used");
  readonly #choice: Choice;
  readonly #changed: () => void;

  constructor(microscope: Microscope, choice: Choice, changed: () => void) {
    this.#choice = choice;
    this.#changed = changed;
    this.#buttons = (["scanned", "srgb"] as const).map((colours) => {
      const [label, shown] = NAMES[colours];
      return [colours, button(label, shown, () => this.#choose(colours))] as const;
    });
    this.element.append(...this.#buttons.map(([, made]) => made), this.#note);
    microscope.watch(({ slide, colours }) => this.#show(slide, colours));
  }

  /** Change from one to the other, where the slide on the stage can be shown both ways. */
  press(): void {
    const other = this.#buttons.find(([, made]) => made.getAttribute("aria-pressed") === "false" && !made.hidden);
    if (!this.element.hidden) other?.[1].click();
  }

  #choose(colours: Colours): void {
    if (colours === this.#choice.now) return;
    this.#choice.choose(colours);
    this.#changed();
  }

  #show(slide: Slide, colours: Colours): void {
    this.element.hidden = slide.colour_profile === "none";
    this.#note.hidden = slide.colour_profile !== "unusable";
    for (const [each, made] of this.#buttons) {
      made.hidden = slide.colour_profile !== "usable";
      made.setAttribute("aria-pressed", String(each === colours));
    }
  }
}
