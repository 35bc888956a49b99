/** Lets the browser download a text or bytes as a file. */
export function download(name: string, type: string, content: BlobPart): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // Not at once: the download has not begun.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
