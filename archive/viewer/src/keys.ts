// One table says which key does what: it is both what happens and what the help shows.
import { element } from "./element";

export interface Key {
  /** How the help writes it. */
  readonly shown: string;
  readonly does: string;
  /** What happens, by KeyboardEvent.key. */
  readonly acts: Readonly<Record<string, () => void>>;
}

/** Act on keys, unless somebody types into a field or holds Ctrl, Alt or Meta. */
export function listen(table: readonly Key[]): void {
  const acts = new Map(table.flatMap((entry) => Object.entries(entry.acts)));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || takesKeys(event)) return;
    const act = acts.get(event.key);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function takesKeys(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog")) return true;
  return target instanceof HTMLInputElement && (target.type !== "range" || event.key.startsWith("Arrow"));
}

/** The help page of the keyboard. */
export function helpDialog(table: readonly Key[]): HTMLDialogElement {
  const lines = table.map(({ shown, does }) =>
    element("div", {}, element("dt", {}, element("kbd", {}, shown)), element("dd", {}, does)),
  );
  const close = element("button", { type: "submit" }, "Close");
  return element(
    "dialog",
    { class: "help", "aria-label": "Keyboard and touch" },
    element("h2", {}, "Keyboard and touch"),
    element("dl", {}, ...lines),
    element("p", {}, "Drag to move, scroll or pinch to magnify, turn two fingers to rotate."),
    element("form", { method: "dialog" }, close),
  );
}
