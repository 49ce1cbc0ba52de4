// User-Agent Client Hints §5: navigator.userAgentData. It says what navigator.userAgent says, taken apart.
import { defineInterface, DOMString, sequence } from "./webidl.ts";

interface Brand {
  brand: string;
  version: string;
}

// The product that the user agent string ends with.
function productOf(userAgent: string): Brand {
  const [, brand = "Vigil", version = "0"] = /([^\s/]+)\/([\d.]+)\s*$/.exec(userAgent) ?? [];
  return { brand, version };
}
function frozen(brands: Brand[]): readonly Brand[] {
  return Object.freeze(brands.map((each) => Object.freeze(each)));
}

export class NavigatorUAData {
  #product: Brand;
  #brands: readonly Brand[];
  constructor(userAgent: string) {
    this.#product = productOf(userAgent);
    const { brand, version } = this.#product;
    this.#brands = frozen([{ brand, version: version.split(".")[0]! }]);
  }
  get brands(): readonly Brand[] {
    return this.#brands;
  }
  get mobile(): boolean {
    return false;
  }
  get platform(): string {
    return "Linux";
  }
  async getHighEntropyValues(hints: string[]): Promise<object> {
    const known: Record<string, unknown> = {
      architecture: "x86",
      bitness: "64",
      formFactors: [],
      fullVersionList: frozen([{ ...this.#product }]),
      model: "",
      platformVersion: "",
      uaFullVersion: this.#product.version,
      wow64: false,
    };
    const asked = hints.filter((hint) => Object.hasOwn(known, hint));
    return { ...this.toJSON(), ...Object.fromEntries(asked.map((hint) => [hint, known[hint]])) };
  }
  toJSON(): object {
    return { brands: this.brands, mobile: this.mobile, platform: this.platform };
  }
  static isInstance(value: unknown): value is NavigatorUAData {
    return typeof value === "object" && value !== null && #brands in value;
  }
}
defineInterface(NavigatorUAData, {
  name: "NavigatorUAData",
  operations: { getHighEntropyValues: [sequence(DOMString)] },
});
