notify places, 'changed';
