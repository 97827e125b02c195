// Closes the menu behind a choice where it covers the page: Streamlit does so on telephones only, not in narrow windows.

const NARROW = "(width < 768px)";

export function closeBehindChoice(event) {
  const chosen = event.target.closest?.("[data-testid=stSidebarNav] a");
  const aside = event.ctrlKey || event.metaKey || event.shiftKey;
  if (!chosen || aside || !matchMedia(NARROW).matches) return;
  setTimeout(() => {
    document.querySelector("[data-testid=stSidebarCollapseButton] button[aria-expanded=true]")?.click();
  });
}
