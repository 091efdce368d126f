// The service serves uPlot under this name, from its package.
import uPlot from 'uplot';

// biome-ignore lint/style/noDefaultExport: so does the package.
export { uPlot as default };
