// What the archive's JSON API tells about a slide: sizes and scale, and nothing that could name anybody.
import type { Colours } from "./colours";

/** One resolution of a slide; the first of a slide's levels is full resolution. */
export interface Level {
  readonly width: number;
  readonly height: number;
  readonly tile_width: number;
  readonly tile_height: number;
  readonly downsample: number;
}

/** Whether colours can be managed: by the scanner's profile, if it gave one that can be used. */
export type Profile = "none" | "usable" | "unusable";

/** Micrometres per pixel at full resolution. */
export interface MicronsPerPixel {
  readonly x: number;
  readonly y: number;
}

export interface Slide {
  readonly handle: string;
  readonly number: number;
  readonly title?: string;
  readonly collection: { readonly handle: string; readonly name: string };
  readonly levels: readonly [Level, ...Level[]];
  readonly mpp: MicronsPerPixel | null;
  readonly objective_power: number | null;
  readonly colour_profile: Profile;
}

export interface Collection {
  readonly handle: string;
  readonly name: string;
  readonly slides: readonly Named[];
}

/** A slide by its place; a title only where those who look may know what the slide is of. */
export interface Named {
  readonly handle: string;
  readonly number: number;
  readonly title?: string;
}

export function titleOf({ number, title }: Pick<Named, "number" | "title">): string {
  return title ?? `Slide ${number}`;
}

/** What the server did not give; the message is written for the person at the screen. */
export class NotShown extends Error {}

/** What may not be shown, or is not there: the two look alike. */
export class Gone extends NotShown {}

/** What every address of this server begins with: nothing, unless a proxy keeps other things under the same name. */
function within(path: string): string {
  return (document.querySelector<HTMLElement>("[data-root]")?.dataset["root"] ?? "") + path;
}

async function told<T>(path: string): Promise<T> {
  const answer = await fetch(within(path), { headers: { accept: "application/json" } }).catch(() => {
    throw new NotShown("The archive does not answer. Check that its server runs, then load the page again.");
  });
  if (answer.ok) return (await answer.json()) as T;
  if (answer.status === 401) throw new Gone("You are signed out. Load the page again to sign in.");
  if (answer.status === 403) throw new Gone("This desk was locked. Open it again with a new address.");
  if (answer.status === 404) throw new Gone("This slide is no longer shown.");
  throw new NotShown("The archive cannot show this slide now. Try again in a moment, or tell whoever runs it.");
}

export function slideOf(handle: string): Promise<Slide> {
  return told(`/api/slides/${handle}`);
}

export function collectionOf(handle: string): Promise<Collection> {
  return told(`/api/collections/${handle}`);
}

/** Managed pictures have addresses of their own, so that no cache takes one for the other. */
function among(colours: Colours): string {
  return colours === "srgb" ? "/srgb" : "";
}

/** A slide whose colours cannot be managed has the same thumbnail at both addresses. */
export function thumbnailOf(handle: string, colours: Colours): string {
  return within(`/slides/${handle}${among(colours)}/thumbnail.jpg`);
}

export function pageOf(handle: string): string {
  return within(`/slides/${handle}`);
}

export function tileOf(handle: string, colours: Colours, level: number, column: number, row: number): string {
  return within(`/slides/${handle}${among(colours)}/tiles/${level}/${column}_${row}.jpg`);
}
