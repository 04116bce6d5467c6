// <input type="checkbox" data-check-all="name">: checks, and shows the state of, all boxes of that name.

export function startCheckAll() {
  for (const all of document.querySelectorAll("[data-check-all]")) start(all);
}

function start(all) {
  const boxes = [...document.getElementsByName(all.dataset.checkAll)];
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  const show = () => {
    const checked = boxes.filter((box) => box.checked).length;
    all.checked = checked > 0 && checked === boxes.length;
    all.indeterminate = checked > 0 && checked < boxes.length;
  };
  for (const box of boxes) box.addEventListener("change", show);
  show();
}
