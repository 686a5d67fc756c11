import { describe, expect, it } from "vitest";

import { fullMagnification, magnificationText, micronsAcross, scaleBar, steps } from "../src/scale";

const fortyTimes = { mpp: { x: 0.25, y: 0.25 }, objective_power: 40 };
const twentyTimes = { mpp: { x: 0.499, y: 0.499 }, objective_power: 20 };
const unknown = { mpp: null, objective_power: null };

describe("magnification", () => {
  it("is 40 at a quarter of a micrometre a pixel", () => {
    expect(fullMagnification(fortyTimes)).toBe(40);
  });

  it("comes from the length of a pixel, not from the name of the objective", () => {
    expect(fullMagnification({ mpp: { x: 0.5, y: 0.5 }, objective_power: 40 })).toBe(20);
  });

  it("falls back on the objective, and says so when even that is unknown", () => {
    expect(fullMagnification({ mpp: null, objective_power: 20 })).toBe(20);
    expect(fullMagnification(unknown)).toBeNull();
  });

  it("offers buttons up to the objective and no further", () => {
    expect(steps(fortyTimes).map((step) => step.label)).toEqual(["1×", "2×", "4×", "10×", "20×", "40×"]);
    expect(steps(twentyTimes).map((step) => step.label)).toEqual(["1×", "2×", "4×", "10×", "20×"]);
  });

  it("still calls a scanner's 39.6 times the 40 times button", () => {
    const labels = steps({ mpp: { x: 0.2525, y: 0.2525 }, objective_power: null }).map((step) => step.label);
    expect(labels.at(-1)).toBe("40×");
  });

  it("shows four pixels of the slide as one at 10 of 40 times", () => {
    expect(steps(fortyTimes).find((step) => step.label === "10×")?.zoom).toBe(0.25);
  });

  it("speaks of pixels where no scale is known", () => {
    expect(steps(unknown).map((step) => step.label)).toEqual(["1:16", "1:8", "1:4", "1:2", "1:1"]);
    expect(magnificationText(unknown, 0.5)).toBe("50 %");
  });

  it("is written with the figures that matter", () => {
    expect(magnificationText(fortyTimes, 1)).toBe("40×");
    expect(magnificationText(fortyTimes, 0.0312)).toBe("1.25×");
    expect(magnificationText(fortyTimes, 0.5049)).toBe("20.2×");
  });
});

describe("scale bar", () => {
  it.each([
    [0.25, "20 µm"],
    [0.5, "50 µm"],
    [1, "100 µm"],
    [2.5, "200 µm"],
    [12.8, "1 mm"],
    [40, "5 mm"],
    [0.005, "0.5 µm"],
  ])("at %f µm a screen pixel is %s long", (micronsPerScreenPixel, label) => {
    expect(scaleBar(micronsPerScreenPixel, 140).label).toBe(label);
  });

  it("is always 1, 2 or 5 of a decade, fits, and fills two fifths of the room at least", () => {
    for (let exponent = -3; exponent <= 3; exponent += 0.01) {
      const bar = scaleBar(10 ** exponent, 140);
      const lead = Number((bar.microns / 10 ** Math.floor(Math.log10(bar.microns) + 1e-9)).toPrecision(6));
      expect([1, 2, 5]).toContain(lead);
      expect(bar.pixels).toBeLessThanOrEqual(140.001);
      expect(bar.pixels).toBeGreaterThan(140 * 0.39);
    }
  });

  it("measures along the screen when pixels are not square and the slide is turned", () => {
    const mpp = { x: 0.5, y: 1 };
    expect(micronsAcross(mpp, 0)).toBeCloseTo(0.5);
    expect(micronsAcross(mpp, 90)).toBeCloseTo(1);
    expect(micronsAcross(mpp, 180)).toBeCloseTo(0.5);
  });
});
