// The page's own elements are made here, so that no text is ever read as HTML.

type Attributes = Readonly<Record<string, string>>;

/** Make an element with attributes and children; text becomes text, never markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

const LINES = {
  home: "M4 11.5 12 5l8 6.5M6.5 10v9h11v-9",
  left: "M5.5 9.5A7.5 7.5 0 1 1 4.8 14M5 4.5v5h5",
  right: "M18.5 9.5A7.5 7.5 0 1 0 19.2 14M19 4.5v5h-5",
  full: "M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15",
  help: "M9 9.2a3 3 0 1 1 4.2 2.7c-.8.4-1.2 1-1.2 1.8v.6M12 17.6v.1",
  closer: "M12 6v12M6 12h12",
  farther: "M6 12h12",
  slides: "M4.5 5.5h6v13h-6zM13.5 5.5h6v13h-6z",
} as const;

export type Icon = keyof typeof LINES;

/** A line drawing for a button; its meaning is in the button's label. */
export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", LINES[name]);
  svg.append(path);
  return svg;
}

/** A button whose label is read aloud and shown on hover. */
export function button(label: string, content: Node | string, act: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", "aria-label": label, title: label }, content);
  made.addEventListener("click", act);
  return made;
}
