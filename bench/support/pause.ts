/** Waits in real time, telling the progress once a second. */
export async function pause(seconds: number, label: string, progress: (text: string) => void): Promise<void> {
  for (let elapsed = 0; elapsed < seconds; elapsed += 1) {
    progress(`${label} ${elapsed}/${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(1, seconds - elapsed) * 1000));
  }
}
