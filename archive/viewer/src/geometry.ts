// Where a tile lies. Every stored tile has the level's full tile size; at the right and bottom edge only the part
// that is slide may be drawn, because what follows is padding.
import type { Level } from "./slide";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Address {
  readonly column: number;
  readonly row: number;
}

export function columns(level: Level): number {
  return Math.ceil(level.width / level.tile_width);
}

export function rows(level: Level): number {
  return Math.ceil(level.height / level.tile_height);
}

/** The part of a tile that is slide, in pixels of the level, counted from the tile's own corner. */
export function visiblePart(level: Level, { column, row }: Address): Box {
  return {
    x: 0,
    y: 0,
    width: Math.min(level.tile_width, level.width - column * level.tile_width),
    height: Math.min(level.tile_height, level.height - row * level.tile_height),
  };
}

/** Where that part lies on the slide, whose width counts as 1 and whose height as height / width. */
export function placeOnSlide(full: Level, level: Level, address: Address): Box {
  const part = visiblePart(level, address);
  const across = 1 / level.width;
  const down = full.height / full.width / level.height;
  return {
    x: address.column * level.tile_width * across,
    y: address.row * level.tile_height * down,
    width: part.width * across,
    height: part.height * down,
  };
}

/** The tile under a point of the slide; points on or beyond an edge belong to the tile at that edge. */
export function tileAt(full: Level, level: Level, point: { x: number; y: number }): Address {
  const column = Math.floor((point.x * level.width) / level.tile_width);
  const row = Math.floor(((point.y * full.width) / full.height) * (level.height / level.tile_height));
  return {
    column: Math.min(Math.max(column, 0), columns(level) - 1),
    row: Math.min(Math.max(row, 0), rows(level) - 1),
  };
}
