// Copy buttons: each names the element whose text it copies.

export function startCopying(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copies]")) {
    const source = document.getElementById(button.dataset["copies"] ?? "");
    if (!source) continue;
    const words = button.textContent;
    button.addEventListener("click", () => {
      void copy(source).then((done) => {
        button.textContent = done ? "Copied" : "Press Ctrl+C";
        setTimeout(() => (button.textContent = words), 2000);
      });
    });
  }
}

/** Copies an element's text; where the browser forbids that (plain HTTP), selects it for the reader to copy. */
async function copy(source: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(source.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return false;
  }
}
