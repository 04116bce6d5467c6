// Leaves out the parts of Bootstrap's stylesheet that no page uses, so that the CSS stays in its byte budget.
const UNUSED =
  /\.(carousel|accordion|offcanvas|navbar|popover|tooltip|bs-tooltip|bs-popover|btn-check|form-range|form-floating|nav-justified|nav-fill|card-img-overlay|card-group|dropup|dropend|dropstart|dropdown-menu-(sm|md|lg|xl|xxl)|vr\b|ratio-|g-xxl|gx-xxl|gy-xxl|link-(warning|info|light|dark)|btn-(outline-)?(info|light|dark)|btn-outline-(success|warning)|focus-ring|icon-link|spinner-grow|list-group-item-(primary|secondary|info|light|dark)|sticky-(sm|md|lg|xl|xxl)|sticky-bottom|[a-z]+-xxl-|[a-z]+-xxl\b|d-(sm|md|lg|xl)-(table|grid|inline-grid)|(row-cols|object-fit)-[a-z]|link-offset|link-underline|link-opacity|border-opacity|(text|bg)-opacity|fixed-|modal-fullscreen)/;

export function trimCss() {
  return {
    name: "atrium-trim-css",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("bootstrap/dist/css/bootstrap.css")) return null;
      return { code: trim(code), map: null };
    },
  };
}

/** The stylesheet without rules whose every selector names an unused part. */
export function trim(css) {
  return css.replace(/^( *)([^@{}/\n][^{}]*)\{[^{}]*\}\n?/gm, (rule, _indent, selectors) => {
    const parts = selectors.split(/,\n/);
    return parts.every((part) => UNUSED.test(part)) ? "" : rule;
  });
}
