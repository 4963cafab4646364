import type { Catalog } from "@basil/catalog";
import type { Policy } from "@basil/policy";

/** One numbered snapshot of what is served. A request is decided and carried out on one, whatever is loaded meanwhile. */
export interface Generation {
  /** 1 at start, one more with each applied reload. */
  readonly id: number;
  readonly catalog: Catalog;
  readonly policy: Policy;
}
