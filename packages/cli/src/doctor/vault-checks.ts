import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Catalog } from "@basil/catalog";
import { within } from "@basil/core";
import type { Environment } from "../context.js";
import { type Check, fatal, ok, skipped, warn } from "./check.js";

/** The two rows that are about backends of kind `vault`. */

function vaultAddresses(catalog: Catalog): string[] {
  return [...new Set([...catalog.backends.values()].filter(({ kind }) => kind === "vault").map(({ addr }) => addr))];
}

/** Whether an operator finds `bao` or `vault` on PATH when a vault backend is declared. */
export async function checkBackendBinary(catalog: Catalog | undefined, env: Environment): Promise<Check> {
  const name = "backend_binary";
  if (catalog === undefined) return skipped(name, "the catalog is not loaded");
  if (vaultAddresses(catalog).length === 0) return ok(name, "no vault backend is declared, so none is needed");
  for (const folder of (env.PATH ?? "").split(delimiter).filter((part) => part !== "")) {
    for (const program of ["bao", "vault"]) {
      const path = join(folder, program);
      const found = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return ok(name, path);
    }
  }
  return warn(name, "neither bao nor vault is on PATH", "install one of them if you operate the server from this host");
}

const TIMEOUT_MS = 3000;

/** Whether each vault address answers at all; whatever status it gives counts. */
export async function checkBackendReachability(catalog: Catalog | undefined, signal: AbortSignal): Promise<Check> {
  const name = "backend_reachability";
  if (catalog === undefined) return skipped(name, "the catalog is not loaded");
  const addresses = vaultAddresses(catalog);
  if (addresses.length === 0) return ok(name, "no vault backend is declared; other kinds are asked by --keys");
  const failures = await Promise.all(
    addresses.map(async (address) => {
      try {
        const url = new URL("/v1/sys/health", address);
        await within(TIMEOUT_MS, signal, (limited) => fetch(url, { signal: limited }));
        return [];
      } catch {
        return [address];
      }
    }),
  );
  const dead = failures.flat();
  if (dead.length === 0) return ok(name, `answering: ${addresses.join(", ")}`);
  return fatal(name, `no answer from ${dead.join(", ")}`, "start the server, or correct addr in the catalog");
}
