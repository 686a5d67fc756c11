// What is on the stage, and whether it may still be there: the bench opens slides, asks again, and clears the stage.
import { coloursOf, type Choice } from "./colours";
import { element } from "./element";
import { Microscope } from "./microscope";
import { collectionOf, Gone, NotShown, pageOf, slideOf, titleOf, type Slide } from "./slide";
import { Strip } from "./strip";

/** How often an open page asks whether its slide may still be shown, though nobody moves it. */
const ASK_AGAIN_MS = 2000;

const DAMAGED =
  "A part of this slide cannot be shown, because its stored data is damaged. Tell whoever runs the archive.";

export class Bench {
  readonly microscope: Microscope;
  readonly #place: HTMLElement;
  readonly #table: HTMLElement;
  readonly #strip: Strip;
  readonly #choice: Choice;
  readonly #trouble = element("p", { class: "trouble", role: "alert", hidden: "" });
  readonly #announcement = element("p", { class: "unseen", role: "status" });
  #shown = "";
  #collection = "";
  #slide: Slide | null = null;

  constructor(place: HTMLElement, choice: Choice) {
    this.#choice = choice;
    this.#strip = new Strip(
      (handle) => void this.open(handle),
      () => choice.now,
    );
    const stage = element("div", { class: "stage" });
    const navigator = element("div", { class: "navigator", "aria-hidden": "true" });
    this.#place = place;
    this.#table = element("section", { class: "table empty", "aria-label": "Microscope" }, stage, navigator);
    this.#table.append(this.#trouble);
    place.replaceChildren(this.#strip.element, this.#table, this.#announcement);
    this.microscope = new Microscope(stage, navigator);
    this.microscope.onMissingTile = () => void this.#explain();
    window.addEventListener("popstate", () => void this.open(location.pathname.split("/").at(-1) ?? "", false));
    setInterval(() => {
      if (!document.hidden && !this.#empty) void this.#ask();
    }, ASK_AGAIN_MS);
  }

  /** Put instruments on the table. */
  equip(...instruments: HTMLElement[]): void {
    this.#table.append(...instruments);
  }

  /** Put a slide on the stage, and its address into the browser's history. */
  async open(handle: string, remember = true): Promise<void> {
    this.#shown = handle;
    try {
      const slide = await slideOf(handle);
      if (this.#shown !== handle) return;
      if (remember) history.pushState(null, "", pageOf(handle));
      this.#trouble.hidden = true;
      this.#table.classList.remove("empty");
      this.#slide = slide;
      this.microscope.show(slide, coloursOf(slide, this.#choice.now));
      this.#announce(slide);
      if (this.#collection !== slide.collection.handle) await this.#fill(slide.collection.handle);
      this.#strip.mark(handle);
    } catch (error) {
      if (this.#shown === handle) await this.#refuse(error);
    }
  }

  /** Show slide and tray in the colours that were chosen, and say so. */
  recolour(): void {
    this.#strip.recolour();
    if (!this.#slide || this.#empty) return;
    const colours = coloursOf(this.#slide, this.#choice.now);
    this.microscope.recolour(this.#slide, colours);
    this.#announcement.textContent = colours === "srgb" ? "Colours are managed (sRGB)." : "Colours are as scanned.";
  }

  /** Open the slide so many places further on. */
  beside(places: number): void {
    const next = this.#strip.beside(this.#shown, places);
    if (next) void this.open(next);
  }

  fullScreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.#place.requestFullscreen();
  }

  get #empty(): boolean {
    return this.#table.classList.contains("empty");
  }

  #announce(slide: Slide): void {
    const title = titleOf(slide);
    const heading = document.querySelector("[data-heading]");
    if (heading) heading.textContent = title;
    document.title = `${title} · ${slide.collection.name}`;
    this.#announcement.textContent = `${title} is on the stage.`;
  }

  async #fill(collection: string): Promise<void> {
    this.#collection = collection;
    this.#strip.fill((await collectionOf(collection)).slides);
  }

  /** Ask whether the slide on the stage may still be shown. */
  async #ask(): Promise<boolean> {
    const asked = this.#shown;
    try {
      this.#keepUp(await slideOf(asked));
      if (this.#trouble.textContent !== DAMAGED) this.#trouble.hidden = true;
      return true;
    } catch (error) {
      if (asked === this.#shown) await this.#refuse(error);
      return false;
    }
  }

  /** Where a profile can no longer be used, or can again, the slide goes on in the colours that are left. */
  #keepUp(slide: Slide): void {
    const before = this.#slide;
    if (slide.handle !== this.#shown || slide.handle !== before?.handle) return;
    this.#slide = slide;
    if (slide.colour_profile !== before.colour_profile) this.recolour();
  }

  async #explain(): Promise<void> {
    if (this.#trouble.hidden && (await this.#ask())) this.#complain(DAMAGED);
  }

  /** Say what went wrong; what may no longer be shown leaves the stage and the tray at once. */
  async #refuse(error: unknown): Promise<void> {
    if (!(error instanceof NotShown)) throw error;
    this.#complain(error.message);
    if (!(error instanceof Gone)) return;
    this.#table.classList.add("empty");
    this.microscope.clear();
    await this.#fill(this.#collection).catch(() => this.#strip.fill([]));
  }

  #complain(sentence: string): void {
    this.#trouble.textContent = sentence;
    this.#trouble.hidden = false;
  }
}
