import { spawnSync } from "node:child_process";

/**
 * Whether an outside program runs with the arguments of `trial`. Where it does not, tests that need it are skipped by name
 * (`describe.skipIf(!hasProgram("openssl", ["version"]))`); under `CI=true` that is a failure instead.
 */
export function hasProgram(name: string, trial: readonly string[] = ["--version"]): boolean {
  const { error, status } = spawnSync(name, trial, { stdio: "ignore", timeout: 20_000 });
  if (error === undefined && status === 0) return true;
  if (process.env.CI === "true") throw new Error(`${name} ${trial.join(" ")} does not run here; CI needs every peer`);
  return false;
}
