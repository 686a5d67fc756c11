import { afterEach, describe, expect, it, vi } from "vitest";

import { Choice, coloursOf } from "../src/colours";
import { thumbnailOf, tileOf } from "../src/slide";

class Store {
  readonly kept = new Map<string, string>();

  getItem(name: string): string | null {
    return this.kept.get(name) ?? null;
  }

  setItem(name: string, value: string): void {
    this.kept.set(name, value);
  }
}

const broken = {
  getItem(): string | null {
    throw new DOMException("The operation is insecure.");
  },
  setItem(): void {
    throw new DOMException("The quota has been exceeded.");
  },
};

describe("the colours that were chosen", () => {
  it("are at first what the server says, and as scanned where it says nothing that is known", () => {
    expect(new Choice("srgb", new Store()).now).toBe("srgb");
    expect(new Choice("scanned", new Store()).now).toBe("scanned");
    expect(new Choice(undefined, new Store()).now).toBe("scanned");
    expect(new Choice("vivid", new Store()).now).toBe("scanned");
  });

  it("are remembered in the browser, whatever the server says", () => {
    const store = new Store();
    new Choice("scanned", store).choose("srgb");
    expect(new Choice("scanned", store).now).toBe("srgb");
    new Choice("srgb", store).choose("scanned");
    expect(new Choice("srgb", store).now).toBe("scanned");
  });

  it("are not taken from a store that holds something else", () => {
    const store = new Store();
    new Choice("scanned", store).choose("srgb");
    for (const name of store.kept.keys()) store.setItem(name, "vivid");
    expect(new Choice("srgb", store).now).toBe("srgb");
  });

  it.each([broken, null])("hold for the page where the browser keeps nothing", (store) => {
    const choice = new Choice("scanned", store);
    choice.choose("srgb");
    expect(choice.now).toBe("srgb");
  });

  it("are shown managed only where the profile can be used", () => {
    expect(coloursOf({ colour_profile: "usable" }, "srgb")).toBe("srgb");
    expect(coloursOf({ colour_profile: "usable" }, "scanned")).toBe("scanned");
    expect(coloursOf({ colour_profile: "none" }, "srgb")).toBe("scanned");
    expect(coloursOf({ colour_profile: "unusable" }, "srgb")).toBe("scanned");
  });
});

describe("addresses", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("of managed pictures are others than those of stored ones", () => {
    vi.stubGlobal("document", { querySelector: () => ({ dataset: { root: "/in" } }) });
    expect(tileOf("h", "scanned", 2, 3, 4)).toBe("/in/slides/h/tiles/2/3_4.jpg");
    expect(tileOf("h", "srgb", 2, 3, 4)).toBe("/in/slides/h/srgb/tiles/2/3_4.jpg");
    expect(thumbnailOf("h", "scanned")).toBe("/in/slides/h/thumbnail.jpg");
    expect(thumbnailOf("h", "srgb")).toBe("/in/slides/h/srgb/thumbnail.jpg");
  });
});
