#!/usr/bin/env node
import { main } from "../dist/program.js";
import manifest from "../package.json" with { type: "json" };

process.exitCode = await main(process.argv.slice(2), manifest.version, {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
  stopped: new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
  }),
});
