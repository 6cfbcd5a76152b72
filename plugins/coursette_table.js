// The menus of columns, which table.js opens on a click alone, by keyboard too; and none runs over the edge.
const icons = document.querySelectorAll("svg.dropdown-menu-icon");
const menu = [...document.querySelectorAll("body > .dropdown-menu")].pop();
let opened = null;

const open = (icon) => {
    icon.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    menu.querySelector("li:not([style*='none']) a")?.focus();
};

for (const icon of icons) {
    icon.setAttribute("role", "button");
    icon.setAttribute("tabindex", "0");
    icon.setAttribute("aria-label", `What to do with ${icon.closest("th").dataset.column}`);
    icon.addEventListener("click", () => {
        opened = icon;
        menu.style.left = `${Math.max(8, Math.min(parseFloat(menu.style.left), scrollX + document.documentElement.clientWidth - menu.offsetWidth - 8))}px`;
    });
    icon.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        open(icon);
    });
}

// Tab from the last of a menu, and Escape, lead back to where it was opened.
menu?.addEventListener("keydown", (event) => {
    const links = [...menu.querySelectorAll("li a")].filter((link) => link.checkVisibility());
    const leaves = event.key === "Tab" && document.activeElement === (event.shiftKey ? links[0] : links.at(-1));
    if (event.key !== "Escape" && !leaves) return;
    event.preventDefault();
    menu.style.display = "none";
    opened?.focus();
});

// The links take their addresses from the column that was clicked: until then they lead nowhere.
document.querySelectorAll(".filter-row > a").forEach((link) => link.setAttribute("role", "button"));
