/** Waits until `check` no longer throws or answers false; gives up after `timeoutMs` with its last word. */
export async function eventually(check: () => unknown, timeoutMs = 20_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    let trouble: unknown = new Error('The condition did not come true');
    try {
      if ((await check()) !== false) return;
    } catch (error) {
      trouble = error;
    }
    if (performance.now() > endMs) throw trouble;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
