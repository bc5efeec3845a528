// The switch between light and dark; the choice stays in this browser.

export const THEME_CHANGED = "lenslab:theme";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Tells whether the page is dark now, by the reader's choice or by the system's. */
export function isDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === undefined ? dark.matches : chosen === "dark";
}

export function startSwitch(): void {
  const button = document.querySelector<HTMLButtonElement>("#theme-switch");
  const show = (): void => {
    const next = isDark() ? "light" : "dark";
    button?.setAttribute("aria-label", `Switch to the ${next} theme`);
    document.dispatchEvent(new CustomEvent(THEME_CHANGED));
  };
  button?.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset["theme"] = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // The choice then lasts as long as the page.
    }
    show();
  });
  dark.addEventListener("change", show);
  show();
}

/** Reads a colour of the style sheet as the browser resolves it in the present theme. */
export function colour(name: string): string {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}
