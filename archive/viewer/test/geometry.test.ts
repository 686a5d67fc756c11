import { describe, expect, it } from "vitest";

import { columns, placeOnSlide, rows, tileAt, visiblePart } from "../src/geometry";
import type { Level } from "../src/slide";

function level(width: number, height: number, tile_width: number, tile_height: number, downsample = 1): Level {
  return { width, height, tile_width, tile_height, downsample };
}

const full = level(2220, 2967, 240, 250);
const quarter = level(555, 742, 240, 250, 4);

describe("tiles of a level", () => {
  it("cover it with a partly filled column and row", () => {
    expect([columns(full), rows(full)]).toEqual([10, 12]);
    expect([columns(quarter), rows(quarter)]).toEqual([3, 3]);
  });

  it("show their padding nowhere", () => {
    expect(visiblePart(full, { column: 9, row: 11 })).toEqual({ x: 0, y: 0, width: 60, height: 217 });
    expect(visiblePart(full, { column: 8, row: 10 })).toEqual({ x: 0, y: 0, width: 240, height: 250 });
  });

  it.each([full, quarter])("join without a gap and end at the slide's edge", (it) => {
    for (let column = 0; column + 1 < columns(it); column += 1) {
      const here = placeOnSlide(full, it, { column, row: 0 });
      const next = placeOnSlide(full, it, { column: column + 1, row: 0 });
      expect(here.x + here.width).toBeCloseTo(next.x, 12);
    }
    const last = placeOnSlide(full, it, { column: columns(it) - 1, row: rows(it) - 1 });
    expect(last.x + last.width).toBeCloseTo(1, 12);
    expect(last.y + last.height).toBeCloseTo(2967 / 2220, 12);
  });

  it.each([full, quarter])("are found again under their own centre", (it) => {
    for (let row = 0; row < rows(it); row += 1) {
      for (let column = 0; column < columns(it); column += 1) {
        const box = placeOnSlide(full, it, { column, row });
        const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
        expect(tileAt(full, it, centre)).toEqual({ column, row });
      }
    }
  });

  it("belong to the edge for points on it", () => {
    expect(tileAt(full, quarter, { x: 1, y: 2967 / 2220 })).toEqual({ column: 2, row: 2 });
    expect(tileAt(full, quarter, { x: 0, y: 0 })).toEqual({ column: 0, row: 0 });
  });
});
