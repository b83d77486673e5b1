// Which project something is of, where the page shows several.

/** The choice of projects at the top, while all are shown; null where one is, or there is only one. */
function choice() {
  const select = document.getElementById("project");
  return select && !select.value ? select : null;
}

/** Whether the page shows several projects: what is of one has nothing to show then. */
export const isOfMany = () => choice() !== null;

/** The name of a project, where the page shows several; "" else. */
export const projectName = (id) => [...(choice()?.options ?? [])].find((one) => one.value === id)?.text ?? "";
