"""What the engines say in English, so that they stand alone, as texts that the catalogue translates.

`%(a)s` to `%(c)s` stand for names, numbers and what foreign programs say; `%(what)s` for another of these phrases. Of two
that fit, the first is taken.
"""

from dashboard.core.i18n import lazy

# What an input should have been.
_EXPECTED = (
    lazy("%(what)s in every place"),
    lazy("a whole number"),
    lazy("a finite number"),
    lazy("true or false"),
    lazy("text"),
    lazy("a value"),
    lazy("a value (%(what)s)"),
    lazy("a value of type %(a)s"),
    lazy("a number between %(a)s and %(b)s"),
    lazy("a number in %(a)s"),
    lazy("one of the model's inputs: %(a)s"),
    lazy("one of %(a)s"),
    lazy("a single value"),
    lazy("a single value, or a list of shape %(a)s for a whole batch"),
    lazy("a list of shape %(a)s or a list of shape %(b)s"),
    lazy("a list of shape %(a)s"),
    lazy("a list of outputs among %(a)s"),
    lazy("a list of records"),
    lazy("at least one record"),
    lazy('records beside the outputs, like {"records": [...], "outputs": [...]}'),
    lazy("a record: an object of input names and values"),
    lazy("`columns` as a list of names"),
    lazy("each name once in `columns`"),
    lazy("`data` as a list of rows"),
    lazy("a row of %(a)s values, one for each of `columns`"),
    lazy("a column of this name; the table has %(a)s"),
    lazy("%(a)s cells, one for each column"),
    lazy("a table in UTF-8"),
    lazy("a CSV table (%(a)s)"),
    lazy("a table whose first line names the columns"),
    lazy("at least one row below the names of the columns"),
)
# Why a model file is refused.
_REFUSED = (
    lazy("the file is empty"),
    lazy("the file holds nothing but zero bytes"),
    lazy("the file has %(a)s MiB; %(b)s MiB are allowed"),
    lazy("this is neither a PMML nor an ONNX model"),
    lazy("this is a zip archive; upload the model file itself"),
    lazy("this is a %(a)s archive; unpack it and upload the model file inside it"),
    lazy("this is an %(a)s archive; unpack it and upload the model file inside it"),
    lazy("this is a program, not a model"),
    lazy("this is a PDF document, not a model"),
    lazy("this is a web page, not a model; was the download a login page?"),
    lazy("HDF5 (Keras) is not supported; export the model to ONNX"),
    lazy(
        "this is a Python pickle, which can run code when it is opened; export the model to ONNX or PMML"
    ),
    lazy(
        "the file has a document type declaration (DTD), which can pull in other files; remove it"
    ),
    lazy("the file is not whole, well-formed XML (line %(a)s: %(b)s)"),
    lazy("the file's text encoding is not what it declares"),
    lazy("the XML is nested more than %(a)s elements deep"),
    lazy("this is XML, but not PMML: its root is <%(a)s>"),
    lazy("PMML version %(a)s is not known; versions 3.0 to 4.4.1 are"),
    lazy("the PMML file holds no model, only its frame"),
    lazy("models of the kind %(a)s cannot be scored"),
    lazy(
        "the naive Bayes model has no BayesOutput: how often each class occurs is missing; export the model with it"
    ),
    lazy(
        "the list of values in line %(a)s says that it holds %(b)s, but holds %(c)s; export the model again"
    ),
    lazy("the file is no whole ONNX model; was it cut short?"),
    lazy("the file is no whole ONNX model: it holds no operators"),
    lazy("the file is no whole ONNX model: a name in it is no text"),
    lazy("ONNX IR version %(a)s is newer than %(b)s, which is supported"),
    lazy("operator set %(a)s is newer than %(b)s, which is supported"),
    lazy("the operator %(a)s is not supported"),
    lazy("the model has more than %(a)s operators"),
    lazy("the weights are in another file (external data); export the model as a single file"),
    lazy(
        "the input %(a)s is a %(b)s, which no record can hold; export the model with numbers or text"
    ),
    lazy("the engine cannot load this model: %(what)s"),
    lazy("it uses a part of the PMML standard that the engine does not have"),
    lazy(
        "something that it needs is missing from the file, or is not as the PMML standard has it; export the model again, or with another program"
    ),
    lazy("the model loads, but gives no output"),
    lazy("the model loads, but cannot be scored: %(what)s"),
)
# Why a model or its preprocessing script gives no answer.
_FAILED = (
    lazy("the engine failed: %(what)s"),
    lazy("the engine broke down on this model"),
    lazy("the engine left out records"),
    lazy("the engine did not answer every record"),
    lazy("the model did not answer each record by itself"),
    lazy("a value has not the shape that the model takes"),
    lazy("the model did not answer in time"),
    lazy("the model did not answer a sample record within %(a)s s"),
    lazy("the model was not done within %(a)s s"),
    lazy("the model used up the processor time that it may take"),
    lazy("the model asked for more memory than it may use"),
    lazy("the model asks for more memory than it may use to answer one record"),
    lazy("the model needs more memory than it may use"),
    lazy("the model needs more than %(a)s MiB of memory"),
    lazy("a PMML model needs %(a)s MiB of memory or more, for Java"),
    lazy("the script is longer than %(a)s KiB"),
    lazy("the script defines neither prepare(record) nor prepare_all(records)"),
    lazy("the script returned no list for %(a)s records"),
    lazy("the script returned more than %(a)s MiB"),
    lazy("the script returned a value that JSON cannot hold"),
    lazy("the script returned %(a)s for %(b)s records"),
    lazy("prepare returned %(a)s for record %(b)s; a dict is wanted"),
    lazy("the script took too long or too much memory and was ended"),
    lazy("the script was stopped: %(what)s"),
    lazy("line %(a)s: %(what)s"),
)
# Why nothing can be learnt from a table.
_UNLEARNABLE = (
    lazy("the file is not UTF-8 text"),
    lazy("the file is not CSV: %(a)s"),
    lazy("the table has no rows"),
    lazy("the first line must name at least two columns"),
    lazy("every column needs a name of its own"),
    lazy("line %(a)s has %(b)s cells, the first has %(c)s"),
    lazy("at most %(a)s columns"),
    lazy("at most %(a)s rows"),
    lazy("choose at least one algorithm"),
    lazy("no column is left to learn from"),
    lazy("%(a)s rows have a target; at least %(b)s are needed"),
    lazy("%(a)s has one value only"),
    lazy("%(a)s has %(b)s different texts; at most %(c)s"),
    lazy("%(a)s has %(b)s once only: every class is needed twice"),
)
PHRASES = (*_EXPECTED, *_REFUSED, *_FAILED, *_UNLEARNABLE)
