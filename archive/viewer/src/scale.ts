// Lengths on glass. A pathologist's magnification is a length in disguise: at 40x one screen pixel shows 0.25 µm.
import type { MicronsPerPixel, Slide } from "./slide";

/** Micrometres that one screen pixel shows at magnification 1. */
const MICRONS_AT_1X = 10;

/** A scanner's 40x may be 0.2525 µm per pixel: its button is still called 40x. */
const NOMINAL_TOLERANCE = 1.1;

const OBJECTIVES = [1, 2, 4, 10, 20, 40, 60, 100] as const;
const FRACTIONS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1] as const;

/** One button: what it says, and how many screen pixels one pixel of the slide then takes. */
export interface Step {
  readonly label: string;
  readonly name: string;
  readonly zoom: number;
}

/** The magnification at which one pixel of the slide takes one pixel of the screen; null when nothing is known. */
export function fullMagnification(slide: Pick<Slide, "mpp" | "objective_power">): number | null {
  if (slide.mpp) return MICRONS_AT_1X / Math.sqrt(slide.mpp.x * slide.mpp.y);
  return slide.objective_power;
}

/** The buttons for a slide, smallest first: up to its objective, or fractions of full size when that is not known. */
export function steps(slide: Pick<Slide, "mpp" | "objective_power">): Step[] {
  const full = fullMagnification(slide);
  if (full === null) {
    return FRACTIONS.map((zoom) => {
      const label = zoom === 1 ? "1:1" : `1:${1 / zoom}`;
      return { label, name: `${label}, pixels of the slide to pixels of the screen`, zoom };
    });
  }
  const highest = (slide.objective_power ?? full) * NOMINAL_TOLERANCE;
  return OBJECTIVES.filter((power) => power <= highest).map((power) => ({
    label: `${power}×`,
    name: `magnification ${power} times`,
    zoom: power / full,
  }));
}

/** What the view shows now, in words: "12.4×", or "31 %" of full size when no magnification is known. */
export function magnificationText(slide: Pick<Slide, "mpp" | "objective_power">, zoom: number): string {
  const full = fullMagnification(slide);
  if (full === null) return `${threeFigures(zoom * 100)} %`;
  return `${threeFigures(zoom * full)}×`;
}

function threeFigures(value: number): string {
  const digits = value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

/** Micrometres along a horizontal line of the screen for each pixel of the slide, when the slide is turned. */
export function micronsAcross(mpp: MicronsPerPixel, degrees: number): number {
  const angle = (degrees * Math.PI) / 180;
  return Math.hypot(mpp.x * Math.cos(angle), mpp.y * Math.sin(angle));
}

/** A length that people can multiply in their heads. */
export interface Bar {
  readonly microns: number;
  readonly pixels: number;
  readonly label: string;
}

/** The longest of 1, 2, 5, 10, 20, 50 ... µm that fits in `room` screen pixels. */
export function scaleBar(micronsPerScreenPixel: number, room: number): Bar {
  const most = micronsPerScreenPixel * room;
  const decade = 10 ** Math.floor(Math.log10(most) + 1e-9);
  const factor = [5, 2, 1].find((step) => step * decade <= most * (1 + 1e-9)) ?? 1;
  const microns = factor * decade;
  return { microns, pixels: microns / micronsPerScreenPixel, label: lengthText(microns) };
}

/** "200 µm", "5 mm". */
export function lengthText(microns: number): string {
  if (microns >= 1000) return `${Number((microns / 1000).toPrecision(3))} mm`;
  return `${Number(microns.toPrecision(3))} µm`;
}
