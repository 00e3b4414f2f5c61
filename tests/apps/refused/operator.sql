create operator === (leftarg = text, rightarg = text, procedure = texteq);
