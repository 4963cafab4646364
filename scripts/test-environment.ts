import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";

// Tests, and the programs they start, find the same surroundings whoever runs them, but for PATH, HOME and the proxy.

/** Settings of the developer or of the CI's own service; those that say how long a test runs stay. */
const NOT_OURS =
  /^(?:AWS_|BASIL_(?!TEST_|BUNDLE_(?:KILLS|MUTATIONS)$)|LISTEN_|NOTIFY_|WATCHDOG_|XDG_RUNTIME_DIR$|(?:NO|FORCE)_COLOR$|CLICOLOR)/;
// A socket's path has 107 bytes at most (unix(7)), and the programs of a Python environment lie at no path with blanks.
const ROOM = 60;

export function setup(): void {
  for (const name of Object.keys(process.env)) if (NOT_OURS.test(name)) delete process.env[name];
  process.umask(0o022);
  // Whatever leads to the outside by a proxy does not lead to an emulator by it.
  for (const name of ["NO_PROXY", "no_proxy"])
    process.env[name] = ["127.0.0.1", "localhost", process.env[name]].filter(Boolean).join();
  if (tmpdir().length <= ROOM && !/\s/.test(tmpdir())) return;
  accessSync("/tmp", constants.W_OK);
  process.env.TMPDIR = "/tmp";
}
