import { vi } from "vitest";

/**
 * Wait until `check` no longer throws, and give what it returns; a test that waits longer than a busy machine
 * could need (20 s) fails with what `check` threw last. `interval` between two looks, ms.
 */
export function until<T>(check: () => T | Promise<T>, interval = 20): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval });
}
