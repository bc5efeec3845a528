// Sets the reader's chosen theme before anything is drawn. Loaded in the head as a classic script, so it imports nothing.

try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
} catch {
  // Storage may be switched off; the system's preference then decides.
}
document.documentElement.classList.add("scripted");
