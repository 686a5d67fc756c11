// Places on a slide are drawn over its picture with a mouse, a finger or keys. The form's fields tell them, in pixels of
// the slide, and only the form is sent; so whoever has no script types what others draw.

const SVG = "http://www.w3.org/2000/svg";
const SIDES = ["x", "y", "width", "height"];
const MOST_ROWS = 12;
const LEAST_PX = 4; // on the screen: less is a click
const STEPS = 200; // of the picture's longer side: how far a key moves

const stage = document.querySelector("[data-stage] svg");
const list = document.querySelector("[data-places]");

if (stage && list) {
  const { width, height } = stage.viewBox.baseVal;
  const step = Math.max(1, Math.round(Math.max(width, height) / STEPS));
  const drawn = new Map(); // of each row, its rectangle on the picture

  const rows = () => [...list.querySelectorAll("fieldset")];
  const fields = (row) => SIDES.map((side) => row.querySelector(`input[name^="${side}"]`));

  function read(row) {
    const told = fields(row).map((field) => (field.value === "" ? NaN : Number(field.value)));
    return told.every(Number.isInteger) && told[2] > 0 && told[3] > 0 ? told : null;
  }

  function write(row, told) {
    fields(row).forEach((field, side) => {
      field.value = told ? String(told[side]) : "";
    });
    show(row);
  }

  function show(row) {
    const told = read(row);
    let rect = drawn.get(row);
    if (!told) {
      rect?.remove();
      drawn.delete(row);
      return;
    }
    if (!rect) {
      rect = stage.appendChild(document.createElementNS(SVG, "rect"));
      rect.setAttribute("class", "black");
      rect.setAttribute("tabindex", "0");
      rect.setAttribute("role", "button");
      rect.addEventListener("keydown", (event) => press(row, event));
      drawn.set(row, rect);
    }
    const name = row.querySelector("legend").textContent;
    rect.setAttribute("aria-label", `${name}: arrow keys move it, with Shift they resize it, Delete removes it`);
    SIDES.forEach((side, number) => rect.setAttribute(side, told[number]));
  }

  // Keep a rectangle on the slide, in whole pixels and no smaller than one.
  function within([x, y, across, down]) {
    const left = Math.min(Math.max(0, Math.round(x)), width - 1);
    const top = Math.min(Math.max(0, Math.round(y)), height - 1);
    return [
      left,
      top,
      Math.min(Math.max(1, Math.round(across)), width - left),
      Math.min(Math.max(1, Math.round(down)), height - top),
    ];
  }

  function press(row, event) {
    const told = read(row);
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!told || !(move || event.key === "Delete")) return;
    event.preventDefault();
    if (!move) {
      write(row, null);
      stage.focus();
      return;
    }
    const at = event.shiftKey ? 2 : 0;
    told[at] += move[0];
    told[at + 1] += move[1];
    write(row, within(told));
  }

  function prepare(row) {
    const clear = row.querySelector("[data-clear]");
    clear.hidden = false;
    clear.addEventListener("click", () => write(row, null));
    row.addEventListener("input", () => show(row));
    show(row);
  }

  // Give a row that tells nothing yet; null if the form has as many as it can tell.
  function emptyRow() {
    const found = rows().find((row) => fields(row).every((field) => field.value === ""));
    if (found || rows().length >= MOST_ROWS) return found ?? null;
    const number = rows().length + 1;
    const row = list.appendChild(rows()[0].cloneNode(true));
    row.querySelector("legend").textContent = `Place ${number}`;
    row.querySelector("[data-clear] .unseen").textContent = ` place ${number}`;
    fields(row).forEach((field, side) => {
      field.name = `${SIDES[side]}${number}`;
      field.value = "";
      field.removeAttribute("value");
    });
    prepare(row);
    return row;
  }

  function point(event) {
    const box = stage.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  }

  stage.addEventListener("pointerdown", (event) => {
    const draws = event.button === 0 && (event.pointerType !== "touch" || stage.classList.contains("by-finger"));
    const row = draws ? emptyRow() : null;
    if (!row) return;
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    const [fromX, fromY] = point(event);

    const follow = (now) => {
      const [x, y] = point(now).map((at, side) => Math.min(Math.max(0, at), side ? height : width));
      write(row, within([Math.min(fromX, x), Math.min(fromY, y), Math.abs(x - fromX), Math.abs(y - fromY)]));
    };
    const end = (now) => {
      stage.removeEventListener("pointermove", follow);
      stage.removeEventListener("pointerup", end);
      stage.removeEventListener("pointercancel", end);
      const far = Math.min(Math.abs(now.clientX - event.clientX), Math.abs(now.clientY - event.clientY));
      if (now.type === "pointercancel" || far < LEAST_PX) write(row, null);
    };
    stage.addEventListener("pointermove", follow);
    stage.addEventListener("pointerup", end);
    stage.addEventListener("pointercancel", end);
  });

  const finger = document.querySelector("[data-finger]");
  finger.hidden = false;
  finger.addEventListener("click", () => {
    const on = stage.classList.toggle("by-finger");
    finger.setAttribute("aria-pressed", String(on));
  });

  stage.setAttribute("tabindex", "-1");
  stage.classList.add("draws");
  rows().forEach(prepare);
}
