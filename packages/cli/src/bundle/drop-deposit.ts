import { BundleError, dropDeposits, listDeposits } from "@basil/bundle";
import { declareBundle, defineBundleCommand } from "./bundle-command.js";
import { bundlePath } from "./open-options.js";

export const dropDeposit = defineBundleCommand<object, { bundle: string; dropped: readonly string[] }>({
  name: "drop-deposit",
  summary: "remove deposit records, by the number show prints or by file name; the bundle is not opened",
  examples: [
    "basil bundle drop-deposit creds.sealed 0",
    "basil bundle drop-deposit creds.sealed 0000000000000001-0f1e2d3c4b5a6978.deposit",
  ],
  declare(command) {
    declareBundle(command).argument("<deposit...>", "index or file name in BUNDLE.deposits/");
  },
  async run({ operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    const files = await listDeposits(path);
    const dropped = operands.slice(1).map((wanted) => {
      const file = /^\d{1,9}$/.test(wanted) ? files[Number(wanted)] : wanted;
      if (file === undefined) {
        throw new BundleError("DEPOSIT_NOT_FOUND", `${typed} has no deposit ${wanted}; it has ${files.length}`, {
          deposit: wanted,
        });
      }
      return file;
    });
    await dropDeposits(path, [...new Set(dropped)]);
    return { bundle: typed, dropped };
  },
  render({ dropped, bundle }, { out }) {
    for (const file of dropped) out(`deposit ${file} removed from ${bundle}.deposits`);
  },
});
