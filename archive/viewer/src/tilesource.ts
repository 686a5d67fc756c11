// OpenSeadragon counts its levels upwards from the smallest; the archive counts from full resolution. This is the
// one place of the viewer where the numbering is turned round.
import OpenSeadragon from "openseadragon";

import * as geometry from "./geometry";
import type { Colours } from "./colours";
import { tileOf, type Level, type Slide } from "./slide";

/** The archive's own tiles: every level with its true size and tile size, padding never drawn. */
export class NativeTiles extends OpenSeadragon.TileSource {
  readonly #levels: Slide["levels"];
  readonly #handle: string;
  readonly #colours: Colours;

  constructor(slide: Slide, colours: Colours) {
    const [full] = slide.levels;
    super({
      width: full.width,
      height: full.height,
      tileWidth: full.tile_width,
      tileHeight: full.tile_height,
      minLevel: 0,
      maxLevel: slide.levels.length - 1,
    });
    this.#levels = slide.levels;
    this.#handle = slide.handle;
    this.#colours = colours;
  }

  #index(level: number): number {
    return this.#levels.length - 1 - level;
  }

  #level(level: number): Level {
    return this.#levels[this.#index(level)] ?? this.#levels[0];
  }

  override getLevelScale(level: number): number {
    return this.#level(level).width / this.#levels[0].width;
  }

  override getTileWidth(level: number): number {
    return this.#level(level).tile_width;
  }

  override getTileHeight(level: number): number {
    return this.#level(level).tile_height;
  }

  override getNumTiles(level: number): OpenSeadragon.Point {
    const it = this.#level(level);
    return new OpenSeadragon.Point(geometry.columns(it), geometry.rows(it));
  }

  override getTileAtPoint(level: number, point: OpenSeadragon.Point): OpenSeadragon.Tile {
    const { column, row } = geometry.tileAt(this.#levels[0], this.#level(level), point);
    // OpenSeadragon takes a point here, although its types say tile.
    return new OpenSeadragon.Point(column, row) as unknown as OpenSeadragon.Tile;
  }

  override getTileBounds(level: number, x: number, y: number, isSource = false): OpenSeadragon.Rect {
    const address = { column: x, row: y };
    const box = isSource
      ? geometry.visiblePart(this.#level(level), address)
      : geometry.placeOnSlide(this.#levels[0], this.#level(level), address);
    return new OpenSeadragon.Rect(box.x, box.y, box.width, box.height);
  }

  override getTileUrl(level: number, x: number, y: number): string {
    return tileOf(this.#handle, this.#colours, this.#index(level), x, y);
  }
}
