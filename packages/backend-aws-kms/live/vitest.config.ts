import { defineConfig } from "vitest/config";

const conditions = ["@basil/source", "node", "import", "default"];

/** Runs the conformance suite against a real account; see docs/backend-aws-kms.md. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["node", "import", "default"] } },
  test: { include: ["*.live.ts"], testTimeout: 180_000, hookTimeout: 900_000, fileParallelism: false },
});
