// The look of the pages with a 3D structure; the view itself is an island and comes by itself.
import "../styles/structure.css";
