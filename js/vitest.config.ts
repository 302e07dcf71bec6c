import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

// Tests run in a real browser: layout, scrolling, focus and workers are what is being tested.
export default defineConfig({
  define: { __MAIN_HASH__: '"test"', __LAYOUT_WORKER_HASH__: '"test"' },
  optimizeDeps: { include: ["axe-core"] },
  test: {
    include: ["src/**/*.test.ts"],
    testTimeout: 60_000,
    // What a busy machine is too slow for is tried once more, as in the other tests.
    retry: 1,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      viewport: { width: 1000, height: 800 },
      provider: playwright({
        launchOptions: {
          executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
          args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            // The tests of size measure the heap.
            "--enable-precise-memory-info",
            "--js-flags=--expose-gc",
          ],
        },
      }),
      instances: [{ browser: "chromium" }],
    },
  },
});
