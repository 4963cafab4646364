import { type StackOptions, seed } from "../stack.ts";

/** A deployment of the page's signing key alone: its catalog without the other key, and an account that has just this one. */
export async function signingOnly(): Promise<Pick<StackOptions, "catalog" | "emulator">> {
  const catalog = JSON.parse(await seed.text("catalog.json"));
  delete catalog.keys["payload.aead"];
  return {
    catalog: JSON.stringify(catalog),
    emulator: { keys: [{ spec: "ECC_NIST_P256", aliases: ["alias/basil/jwt-signing-primary"] }] },
  };
}
