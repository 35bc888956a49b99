/** Lets the browser download a text as a file. */
export function download(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // Not at once: the download has not begun.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
