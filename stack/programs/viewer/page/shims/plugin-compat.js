// Scenes asks Grafana's core for data sources that no page registered. There is no core here, and
// all of the viewer's are registered (`sources/index.js`).
const unknown = (reference) => {
  throw new Error(`There is no data source ${JSON.stringify(reference?.uid ?? reference)}.`);
};

export const getDataSourceInstance = async (reference) => unknown(reference);
export const getDataSourceInstanceList = async () => [];
export const getDataSourceInstanceSettings = async () => undefined;
export const getDefaultDataSourceInstanceListItem = async () => undefined;
