#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";
import { main } from "../dist/program.js";
import manifest from "../package.json" with { type: "json" };

// Requests are small and short-lived: a small nursery halves the memory of a long run and costs no speed.
setFlagsFromString("--max-semi-space-size=4");
setFlagsFromString("--semi-space-growth-factor=1");

process.exitCode = await main(process.argv.slice(2), manifest.version, {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
  stopped: new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
  }),
});
