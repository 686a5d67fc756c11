// The tray: every slide of the collection, side by side with the stage.
import type { Colours } from "./colours";
import { element } from "./element";
import { pageOf, thumbnailOf, titleOf, type Collection, type Named } from "./slide";

export class Strip {
  readonly element = element("nav", { class: "strip", "aria-label": "Slides of this collection" });
  readonly #open: (handle: string) => void;
  readonly #colours: () => Colours;
  #links = new Map<string, HTMLAnchorElement>();

  constructor(open: (handle: string) => void, colours: () => Colours) {
    this.#open = open;
    this.#colours = colours;
  }

  fill(slides: Collection["slides"]): void {
    this.#links = new Map(slides.map((slide) => [slide.handle, this.#link(slide)]));
    const list = element("ol");
    for (const link of this.#links.values()) list.append(element("li", {}, link));
    this.element.replaceChildren(list);
    this.element.hidden = slides.length < 2;
  }

  /** Show every slide in the colours that were chosen. */
  recolour(): void {
    for (const [handle, link] of this.#links) link.querySelector("img")?.setAttribute("src", this.#picture(handle));
  }

  /** Mark the slide on the stage. */
  mark(handle: string): void {
    for (const [each, link] of this.#links) {
      if (each === handle) {
        link.setAttribute("aria-current", "page");
        link.scrollIntoView({ block: "nearest", inline: "nearest" });
      } else {
        link.removeAttribute("aria-current");
      }
    }
  }

  /** The slide so many places further on, or null at the ends. */
  beside(handle: string, places: number): string | null {
    const handles = [...this.#links.keys()];
    const at = handles.indexOf(handle);
    return at < 0 ? null : (handles[at + places] ?? null);
  }

  #picture(handle: string): string {
    return thumbnailOf(handle, this.#colours());
  }

  #link(slide: Named): HTMLAnchorElement {
    const { handle } = slide;
    const picture = element("img", { src: this.#picture(handle), alt: "", loading: "lazy", draggable: "false" });
    const link = element("a", { href: pageOf(handle) }, picture, element("span", {}, titleOf(slide)));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      this.#open(handle);
    });
    return link;
  }
}
