import { defineConfig } from "vitest/config";

const conditions = ["@basil/source", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["node", "import", "default"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "tests/**/*.test.ts", "e2e/**/*.test.ts"],
    globalSetup: ["./scripts/test-environment.ts"],
    reporters: ["default", "./scripts/summary-reporter.ts"],
    // Kept modules hold the path of vitest itself, which moves when a dependency changes.
    fsModuleCache: false,
    // Most of the time of an end-to-end test is waiting: as many files at a time as there are processors, where the default is one less.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What comes at once on an idle machine may take seconds on a busy one.
    expect: { poll: { timeout: 10_000 } },
  },
});
