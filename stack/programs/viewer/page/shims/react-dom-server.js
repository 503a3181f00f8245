// Asked for by parts of the libraries that render on a server; this page never does.
export const renderToStaticMarkup = () => '';
export const renderToString = () => '';
export default { renderToStaticMarkup, renderToString };
