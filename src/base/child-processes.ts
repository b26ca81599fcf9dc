/** The processes that were started, to be killed all at once when nobody wants to wait any more. */
export class ChildProcesses {
  readonly #kills = new Map<number, NodeJS.Signals>();

  /** `signal` is what ends the process at once without leaving a mess of its own. */
  add(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#kills.set(pid, signal);
  }

  /** The process has ended: its number may go to another one. */
  remove(pid: number): void {
    this.#kills.delete(pid);
  }

  killAll(): void {
    for (const [pid, signal] of this.#kills) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has just ended.
      }
    }
  }
}
