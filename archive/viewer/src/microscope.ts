// The stage: one slide at a time, moved, magnified and turned. Everything else on the page talks to it.
import OpenSeadragon from "openseadragon";

import type { Colours } from "./colours";
import { fullMagnification, steps, type Step } from "./scale";
import type { Slide } from "./slide";
import { NativeTiles } from "./tilesource";

/** Screen pixels that one pixel of the slide may take at most: beyond, there is nothing more to see. */
const CLOSEST = 4;

/** The slide may be moved until this much of the view is glass without slide. */
const VISIBLE = 0.4;

/** Screen pixels that instruments cover when the whole slide is shown. */
const MARGINS = { top: 14, right: 14, bottom: 84, left: 14 };

/** How the slide is seen now. */
export interface View {
  readonly slide: Slide;
  readonly colours: Colours;
  /** Screen pixels for one pixel of the slide. */
  readonly zoom: number;
  /** Clockwise, from -180 (not included) to 180. */
  readonly degrees: number;
}

export class Microscope {
  readonly #viewer: OpenSeadragon.Viewer;
  readonly #watchers: ((view: View) => void)[] = [];
  #slide: Slide | null = null;
  #colours: Colours = "scanned";
  /** Called when a tile did not come; why is for the caller to find out. */
  onMissingTile: () => void = () => undefined;

  constructor(stage: HTMLElement, navigator: HTMLElement) {
    forbidInlineStyle();
    this.#viewer = OpenSeadragon({
      element: stage,
      // The canvas samples nothing beyond a tile's visible part; WebGL draws a line of padding along the edge.
      drawer: "canvas",
      viewportMargins: MARGINS,
      showNavigationControl: false,
      showNavigator: true,
      navigatorElement: navigator,
      navigatorRotate: true,
      navigatorAutoFade: false,
      animationTime: 0.5,
      springStiffness: 9,
      zoomPerScroll: 1.3,
      maxZoomPixelRatio: CLOSEST,
      visibilityRatio: VISIBLE,
      imageLoaderLimit: 8,
      maxImageCacheCount: 600,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchRotate: true, clickToZoom: false, dblClickToZoom: true },
      gestureSettingsPen: { clickToZoom: false, dblClickToZoom: true },
    });
    this.#viewer.canvas.setAttribute("role", "application");
    this.#viewer.addHandler("canvas-key", (event) => {
      event.preventDefaultAction = true;
    });
    for (const name of ["animation", "open", "resize", "rotate", "update-viewport"] as const) {
      this.#viewer.addHandler(name, () => this.#tell());
    }
    this.#viewer.addHandler("tile-load-failed", () => this.onMissingTile());
  }

  /** Call `watcher` whenever the view changes. */
  watch(watcher: (view: View) => void): void {
    this.#watchers.push(watcher);
  }

  /** Put a slide on the stage. */
  show(slide: Slide, colours: Colours): void {
    this.#slide = slide;
    this.#colours = colours;
    this.#viewer.canvas.setAttribute("aria-label", `Slide ${slide.number}, as a microscope shows it`);
    this.#keepView(false);
    this.#viewer.viewport?.setRotation(0, true);
    this.#viewer.addOnceHandler("open", () => this.#allowSmallest(slide));
    this.#viewer.open({ tileSource: new NativeTiles(slide, colours) });
  }

  /** Show the slide on the stage in other colours, at the same place, magnification and angle. */
  recolour(slide: Slide, colours: Colours): void {
    if (!this.#viewer.isOpen()) return this.show(slide, colours);
    this.#keepView(true);
    this.#slide = slide;
    this.#colours = colours;
    this.#viewer.addTiledImage({ tileSource: new NativeTiles(slide, colours), index: 0, replace: true });
    this.#tell();
  }

  /** Take the slide off the stage. */
  clear(): void {
    this.#slide = null;
    this.#viewer.close();
  }

  home(): void {
    this.#viewer.viewport.rotateTo(0);
    this.#viewer.viewport.goHome();
  }

  step(step: Step): void {
    this.#zoomTo(step.zoom);
  }

  closer(factor: number): void {
    const viewport = this.#viewer.viewport;
    viewport.zoomBy(factor);
    viewport.applyConstraints();
  }

  /** Turn the slide by some degrees, clockwise. */
  turn(degrees: number): void {
    this.turnTo(this.#viewer.viewport.getRotation() + degrees);
  }

  turnTo(degrees: number): void {
    this.#viewer.viewport.rotateTo(degrees);
  }

  /** Move the view by a part of its own width and height, whichever way the slide is turned. */
  move(right: number, down: number): void {
    const viewport = this.#viewer.viewport;
    const seen = viewport.getBoundsNoRotate();
    const by = new OpenSeadragon.Point(right * seen.width, down * seen.height);
    viewport.panBy(by.rotate(-viewport.getRotation()));
    viewport.applyConstraints();
  }

  /** Whether what comes onto the stage next is seen as what is there now, instead of whole. */
  #keepView(preserveViewport: boolean): void {
    Object.assign(this.#viewer, { preserveViewport });
  }

  #zoomTo(zoom: number): void {
    const viewport = this.#viewer.viewport;
    viewport.zoomTo(viewport.imageToViewportZoom(zoom));
    viewport.applyConstraints();
  }

  /** A small slide at 1x is smaller than the window: let it be. */
  #allowSmallest(slide: Slide): void {
    const viewport = this.#viewer.viewport;
    const smallest = fullMagnification(slide) === null ? undefined : steps(slide)[0];
    const whole = viewport.getHomeZoom() * 0.8;
    const minZoomLevel = smallest ? Math.min(whole, viewport.imageToViewportZoom(smallest.zoom)) : whole;
    Object.assign(viewport, { minZoomLevel });
  }

  #tell(): void {
    const viewport = this.#viewer.viewport;
    if (!this.#slide || !this.#viewer.isOpen()) return;
    const zoom = viewport.viewportToImageZoom(viewport.getZoom(true));
    const turned = ((viewport.getRotation(true) % 360) + 360) % 360;
    const view = { slide: this.#slide, colours: this.#colours, zoom, degrees: turned > 180 ? turned - 360 : turned };
    for (const watcher of this.#watchers) watcher(view);
  }
}

/** OpenSeadragon would write a style sheet into the page, which the page's own rules forbid, unless it finds this. */
function forbidInlineStyle(): void {
  const taken = document.createElementNS("urn:coverslip:no-style", "style");
  taken.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(taken);
}
