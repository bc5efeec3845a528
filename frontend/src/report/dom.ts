// Elements from values: text is always set as text, so no name of a record can become HTML.

import { isolated } from "./words";

type Child = Node | string | null | undefined | false;

/** Makes an element; a child that is text becomes a text node, one that is empty is left out. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  tag: Name,
  attributes: Record<string, string | boolean | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) if (child) made.append(child);
  return made;
}

/** A name from a record: kept apart from the direction in which the text around it is written. */
export function named(text: string): HTMLElement {
  return element("bdi", { class: "named", title: text.length > 24 ? text : undefined }, text);
}

export function button(words: string, act: () => void, attributes: Record<string, string | undefined> = {}): HTMLButtonElement {
  const made = element("button", { type: "button", class: "small", ...attributes }, words);
  made.addEventListener("click", act);
  return made;
}

/** A choice among values, with its label before it. */
export function choice(
  words: string,
  options: readonly (readonly [value: string, words: string])[],
  chosen: string,
  act: (value: string) => void,
): HTMLLabelElement {
  const list = element("select", {}, ...options.map(([value, text]) => element("option", { value }, isolated(text))));
  list.value = chosen;
  list.addEventListener("change", () => act(list.value));
  return element("label", { class: "choice" }, `${words} `, list);
}

/** Runs the first time an element comes near the window, and at once where the page is printed. */
export function whenNear(place: HTMLElement, act: () => void): void {
  let done = false;
  const once = (): void => {
    if (done) return;
    done = true;
    observer.disconnect();
    removeEventListener("beforeprint", once);
    act();
  };
  const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && once(), {
    rootMargin: "300px",
  });
  observer.observe(place);
  addEventListener("beforeprint", once);
}
